"""`python -m steelyard`: the command line, where the script `steelyard` is not on the path."""

from steelyard.cli import program

if __name__ == "__main__":
    program()

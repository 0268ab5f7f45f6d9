"""One file read in a process of its own: python read_one.py PATH OPTIONS. It says what it read or what it was told, and what it took."""

import json
import resource
import sys
import time
import traceback


def main(path: str, options: dict) -> dict:
    from steelyard.data import count_path
    from steelyard.data.tables import read_table

    start = time.process_time()
    try:
        said = str(read_table(path).rows if options.pop("read", False) else count_path(path, workers=1, **options)[0])
        kind = ""
    except (ValueError, OSError) as error:
        said, kind = str(error), type(error).__name__
    except BaseException:
        said, kind = traceback.format_exc(), "traceback"
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1000 for line in status if line.startswith("VmHWM"))
    return {"said": said[:4000], "kind": kind, "seconds": time.process_time() - start, "bytes": peak}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))

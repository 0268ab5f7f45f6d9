"""Files read in processes of their own: for each line [path, options] it says what was read or told, and what that took.

The processes are forked from one that has imported the readers, since that takes longer than most files do.
"""

import json
import os
import resource
import sys
import time
import traceback


def read(path: str, options: dict) -> dict:
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


def serve() -> None:
    import PIL.PngImagePlugin
    import PIL.TiffImagePlugin  # noqa: F401
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401

    import steelyard.data.tables  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
            print(json.dumps(read(*json.loads(line))), flush=True)
            os._exit(0)
        if status := os.waitpid(child, 0)[1]:
            print(json.dumps({"said": f"wait status {status}", "kind": "died", "seconds": 60, "bytes": 0}), flush=True)


if __name__ == "__main__":
    serve()

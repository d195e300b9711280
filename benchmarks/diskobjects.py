"""What disk-objectstore does: `diskobjects.py OPERATION CONTAINER [FOLDER]` prints the seconds it took."""

import sys
from pathlib import Path
from time import perf_counter

from disk_objectstore import Container

operation, path, *folders = sys.argv[1:]
start = perf_counter()
container = Container(path)
match operation:
    case "create":
        container.init_container()
    case "put":
        files = sorted(path for path in Path(folders[0]).rglob("*") if path.is_file())
        # no_holes: what is put again takes no space again
        container.add_objects_to_pack([path.read_bytes() for path in files], compress=True, no_holes=True)
    case "check":
        assert container.validate().is_valid()
print(perf_counter() - start)
container.close()

"""The most that a release of others may have; what has more is refused before it is read.

The bounds are far above what `stepmill` writes: a shard has at most 50,000 rows and 500 MB.
"""

KB, MB, GB = 1_000, 1_000_000, 1_000_000_000

FILE_BYTES = GB  # of any file
MANIFEST_BYTES = 16 * MB
INDEX_BYTES = 4 * MB
CARD_BYTES = 4 * MB
RELEASE_BYTES = 1_000 * GB  # of all files that a manifest lists
FILES = 10_000
FOLDERS = 1_000  # folders in a version's folder
VERSIONS = 10_000

PATH_CHARACTERS = 200
PATH_PARTS = 6
NAME_CHARACTERS = 100
LINE_CHARACTERS = 1_000

JSON_ITEMS = 500_000
JSON_DEPTH = 24
JSON_STRING = MB  # characters
DIGITS = 19  # of an integer: what 64 bits hold
COUNT = 10**15

YAML_BYTES = 128 * KB
YAML_EVENTS = 10_000
YAML_DEPTH = 12

FOOTER_BYTES = 4 * MB
ROW_GROUPS = 10_000
COLUMNS = 500
NESTING = 12
ROWS = MB  # of a shard
VALUES = 500 * MB  # of a shard, in all columns
TEXT_BYTES = 16 * MB  # of one value
UNPACKED_BYTES = GB  # of a shard
UNPACKED_SMALL = 64 * MB  # what a shard of any size may unpack to
UNPACKED_RATIO = 500  # bytes unpacked for one of the file, beyond that
READER_BYTES = 192 * MB  # memory that the reading of a shard may take in its own process
READER_SECONDS = 3  # of the processor
READER_RATE = 10 * MB  # bytes of a file for one second more

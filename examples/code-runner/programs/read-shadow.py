import os

try:
    open("/etc/shadow").read()
    print("escaped")
except OSError as error:
    print("blocked:", error)
    raise SystemExit(1)

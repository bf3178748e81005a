import os

try:
    os.close(os.open("/usr/linux-isolate-proof", os.O_CREAT | os.O_WRONLY))
    print("escaped")
except OSError as error:
    print("blocked:", error)
    raise SystemExit(1)

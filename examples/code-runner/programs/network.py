import socket

try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
    print("escaped")
except OSError as error:
    print("blocked:", error)
    raise SystemExit(1)

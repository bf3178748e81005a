import os
import signal

for number in (signal.SIGTERM, signal.SIGKILL):
    os.kill(1, number)
os.kill(1, 0)
print("pid 1 lives on")

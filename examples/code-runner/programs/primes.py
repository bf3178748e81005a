sieve = bytearray([1]) * 100_000
sieve[0:2] = b"\0\0"
for i in range(2, 317):
    if sieve[i]:
        sieve[i * i :: i] = bytes(len(sieve[i * i :: i]))
print(sum(sieve))

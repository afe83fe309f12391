"""Writes the commands that fill a Redis server, as redis-cli --pipe takes them: bench-keyspace.py MEGABYTES >commands.

A mixture as an application's cache has it: sessions and documents that expire, carts, profiles, rankings, sets, queues and a
stream. The same size gives the same bytes.
"""
import random
import sys

WORDS = ("order user item price invoice payment account session token event job team member role address product category "
         "tag comment review cart coupon shipment refund report metric plan feature flag note open paid sent late").split()


def piece(rng):
    """Some words and some letters that nothing compresses: about half of it is redundant."""
    words = " ".join(rng.choice(WORDS) for _ in range(6))
    return f"{words} {rng.getrandbits(160):040x}"


def command(*words):
    parts = [f"*{len(words)}\r\n"]
    for word in words:
        word = str(word)
        parts.append(f"${len(word)}\r\n{word}\r\n")
    return "".join(parts)


def batch(number, rng, pieces):
    """A hundred or so keys, about 50 KB."""
    some = lambda count: " ".join(rng.choice(pieces) for _ in range(count))
    begin = number * 40
    for key in range(begin, begin + 40):
        yield command("SET", f"session:{key}", some(2), "EX", 864000 + key % 1000)
        yield command("SET", f"document:{key}", some(7))
        if key % 2 == 0:
            yield command("HSET", f"user:{key}", "name", f"user {key}", "mail", f"{key}@example.org", "visits", key,
                          "note", some(1))
            yield command("ZADD", "ranking", key * 37 % 1000003, f"member:{key}")
        if key % 4 == 0:
            yield command("RPUSH", f"queue:{key % 64}", some(1), some(2), key)
            yield command("SADD", f"tags:{key}", *(rng.randrange(100000) for _ in range(10)))
            yield command("XADD", "events", f"{key + 1}-1", "user", key, "text", some(1))
            yield command("HSET", "large", f"field:{key}", some(2))


def main():
    left = int(float(sys.argv[1]) * 1e6)
    rng = random.Random(7)
    pieces = [piece(rng) for _ in range(20000)]
    number = 0
    while left > 0:
        text = "".join(batch(number, rng, pieces))
        sys.stdout.write(text)
        left -= len(text)
        number += 1


main()

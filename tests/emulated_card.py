"""A card that lies on a reader, as a process of its own: nfcpy listens as one over its UDP driver.

    python emulated_card.py PORT < WHAT

WHAT is JSON: the ``system`` it belongs to, its ``chip`` (nfcpy knows by it how many blocks it gives at once), ``blocks`` in hex by
service in hex, ``most`` blocks it really gives at once, ``leaves_after`` so many answers to readings (it is lifted then), and
``how`` (``silently``; or with ``RFOFF``, as the driver says that a field is gone; or by ``half`` an answer).
It says ``ready`` once it can be found, and each writing that is asked of it.
"""

import json
import sys

import nfc
import nfc.clf

IDM = "0101060122334455"


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main():
    port, what = int(sys.argv[1]), json.load(sys.stdin)
    blocks = {int(service, 16): [bytes.fromhex(b) for b in some] for service, some in what["blocks"].items()}  # fmt: skip
    left = what.get("leaves_after")

    def on_startup(target):
        target.brty = "212F"
        # all ones after the chip: the longest times to answer, since this machine may have much else to do
        said = "01" + what.get("idm", IDM) + "01" + what.get("chip", "01") + "FF" * 6 + what.get("system", "0003")
        target.sensf_res = bytearray.fromhex(said)
        return target

    def on_connect(card):
        for service, some in blocks.items():
            card.add_service(
                service, lambda n, *_, some=some: some[n] if n < len(some) else None, on_write
            )
        read = card.read_without_encryption

        def counted(data):
            nonlocal left
            if left == 0:
                leave(card)
            asked = data[1 + 2 * data[0]]
            if asked > what.get("most", 15):
                return bytearray([0xFF, 0xA2])
            if left is not None:
                left -= 1
            return read(data)

        card.read_without_encryption = counted
        return True

    def leave(card):
        device, addr = frontend.device, card.target._addr
        if what.get("how") == "RFOFF":
            for _ in range(3):  # the reader asks three times
                device._send_data("RFOFF", b"", addr)
        if what.get("how") == "half":
            device._send_data("212F", bytearray([2, 7]), addr)
        sys.exit(0)

    def on_write(*_):
        say("written")
        return True

    frontend = nfc.ContactlessFrontend(f"udp:localhost:{port}")
    with frontend:
        say("ready")
        while True:
            frontend.connect(card={"on-startup": on_startup, "on-connect": on_connect, "timeout": 60})


if __name__ == "__main__":
    main()

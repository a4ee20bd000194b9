"""Where ordinary life takes place: stations of the sample network, shops, passes."""

HOMES = ("Takatsuki", "Ibaraki", "Nishinomiya", "Ashiya", "Yao", "Koriyama", "Nagaokakyo", "Suita")
WORKS = ("Osaka", "Kyoto", "Sannomiya", "Tennoji", "Shin-Osaka", "Kyobashi")
STATIONS = HOMES + WORKS + ("Nara", "Kobe", "Tsuruhashi", "Amagasaki", "Yamazaki")
MERCHANTS = tuple(f"kiosk-{n}" for n in range(1, 30)) + tuple(f"cafe-{n}" for n in range(1, 12))
# ends of passes; both stand on one line
PASSES = (("Takatsuki", "Osaka"), ("Nishinomiya", "Osaka"), ("Nagaokakyo", "Kyoto"),
          ("Yao", "Tennoji"), ("Ashiya", "Sannomiya"), ("Kyobashi", "Tennoji"))  # fmt: skip

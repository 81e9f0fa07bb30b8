"""What stands around the form of the page at `/`; page.py fills the marks."""

HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><!--NAME--> · version <!--VERSION--></title>
<style>
:root { color-scheme: light dark; --line: #8886; --accent: #2a6f97; --fault: #c1121f; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
p { margin: .25rem 0 1.5rem; opacity: .8; }
form { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
label { display: block; font-weight: 600; }
label span { font-weight: 400; opacity: .7; }
input, select { font: inherit; width: 100%; box-sizing: border-box; padding: .35rem .5rem;
  border: 1px solid var(--line); border-radius: .3rem; }
small { display: block; min-height: 1.3em; opacity: .7; }
small.fault { color: var(--fault); opacity: 1; }
div:has(> small.fault) > :is(input, select) { border-color: var(--fault); }
button { grid-column: 1 / -1; justify-self: start; font: inherit; font-weight: 600; color: #fff;
  background: var(--accent); border: 0; border-radius: .3rem; cursor: pointer;
  padding: .5rem 1.5rem; }
dl.answer { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; border: 2px solid var(--accent);
  border-radius: .5rem; padding: 1rem; margin: 0 0 1.5rem; }
dl.refused { border-color: var(--fault); color: var(--fault); }
dl.answer dt { white-space: nowrap; opacity: .7; } dl.answer dd { margin: 0; font-weight: 700; }
</style>
</head>
<body>
<h1><!--NAME--></h1>
<p>Version <!--VERSION-->, <!--DIGEST--> ·
<a href="<!--BELOW-->/docs">API</a> · <a href="<!--BELOW-->/metadata">model</a></p>
<!--NOTICE--><!--ANSWER-->
<form method="post" action="<!--BELOW-->/" novalidate><!--FIELDS-->
<button>Predict</button>
</form>
</body>
</html>
"""

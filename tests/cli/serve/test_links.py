"""A thousand hostile links: the page shows each or refuses it, runs nothing of it, and stays small."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.cli.serve.playground import Playground, link
from tests.cli.serve.test_fuzz import VALUES
from tests.cli.serve.test_playground import BOTH
from tests.fuzz.inputs import changed

#: How many links each back end follows: in a worker each is calculated, and the page is the same.
LINKS, CHUNKS = {"server": 1_000, "static": 200}, 20
#: Bytes that the page may hold more after the last links than after the first ones, and elements at any time.
MOST_GROWTH, MOST_ELEMENTS = 8 << 20, 20_000
HACK = "window.hacked=1"
MARKS = (
    f"<script>{HACK}</script>", f'"><img src=x onerror="{HACK}">', f"'><svg onload={HACK}>", f"javascript:{HACK}",
    f"</style></script><iframe srcdoc='<script>parent.{HACK}</script>'>",
)  # fmt: skip
VIEWS = ("diagram", "table", "charts", "memory", "lint", "check", "compare", "exercise", "nothing")
#: Charts are drawn by an engine of their own, in a second each.
USUAL = ("diagram", "table", "lint", "check", "compare")
NAMES = ("lenet5", "alexnet", "nin", "lenet5@1998", "vgg11", "nothing_like_it", "../../etc/passwd", "alexnet@x")
PATTERN = "8x8x3 -> conv3-4 -> relu -> fc10"
FIELDS = (
    "name",
    "layer",
    "other",
    "convention",
    "depth",
    "folded",
    "style",
    "chart",
    "input",
    "lang",
    "columns",
    "parameters",
)
#: Most links ask for what one before them asked for, as they show the same networks: the server calculates it once.
#: Answers are kept as blobs, which are not in the heap that is measured.
KEEP_ANSWERS = """
const known = new Map(), ask = window.fetch;
window.fetch = async (address, init) => {
  const key = `${address} ${init?.body}`;
  if (!known.has(key)) {
    const answer = await ask(address, init);
    if (!answer.ok) return answer;
    known.set(key, await answer.blob());
  }
  return new Response(known.get(key));
};
"""
#: Follows links one after the other, each to its end; gives what is wrong afterwards.
RUN = """
const [links, done] = [arguments[0], arguments[1]];
// The editor puts images without an address beside what it shows in place of a character.
const STRANGE = 'img:not(.cm-widgetBuffer:not([src])), iframe, object, embed, script, a[href^="javascript" i]';
const main = document.querySelector('main');
window.states ??= {};
window.faults ??= (() => {
  const found = [];
  addEventListener('error', (event) => found.push(`${event.message}`));
  addEventListener('unhandledrejection', (event) => found.push(`${event.reason}`));
  return found;
})();
const turn = () => new Promise((resolve) => setTimeout(resolve));
(async () => {
  for (const [number, link] of links) {
    history.replaceState(null, '', '#' + link);
    dispatchEvent(new HashChangeEvent('hashchange'));
    do await turn(); while (main.dataset.state === 'busy');
    window.states[main.dataset.state] = (window.states[main.dataset.state] ?? 0) + 1;
    const strange = [...document.querySelectorAll('body *')].filter((element) =>
      element.matches(STRANGE) || [...element.attributes].some(({name}) => /^on/i.test(name)));
    for (const element of strange) window.faults.push(`link ${number}: ${element.outerHTML.slice(0, 200)}`);
    if (document.scripts.length !== 1 || window.hacked) window.faults.push(`link ${number}: a script`);
  }
  return window.faults.splice(0);
})().then(done, (error) => done([`${error}`]));
"""


def a_spec(random: Random) -> str:
    mark = json.dumps(random.choice(MARKS))
    layer = f"- conv2d: {{name: {mark}, out_channels: 4, kernel_size: 3}}"
    text = random.choice(
        (
            PATTERN,
            f"name: x\ntitle: {mark}\ninput: 8x8x3\nlayers:\n  {layer}\n  - relu\n",
            f"name: x\nlayers:\n  - {mark}: 3\n",
        )
    )
    return changed(text, random) if random.random() < 0.6 else text


def a_value(random: Random) -> Any:
    value = random.choice((*VALUES, *MARKS))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def a_link(number: int) -> str:
    """The part of a link after `#`, the same on every run."""
    random = Random(number)
    state: dict[str, Any] = {"view": random.choice(VIEWS if random.random() < 0.1 else USUAL)}
    state |= {random.choice(FIELDS): a_value(random) for _ in range(random.randrange(4))}
    if random.random() < 0.7:
        state["text"] = a_spec(random)
        found = link(**state)
    else:
        pairs = "&".join(f"{key}={json.dumps(value)}" for key, value in state.items() if key != "name")
        found = f"{random.choice((*NAMES, *MARKS))}&{pairs}"
    for _ in range(random.choice((0, 0, 0, 1, 5))):
        place = random.randrange(len(found) + 1)
        found = found[:place] + random.choice(("%", "&", "=", "z=", "A", "", "#", MARKS[1])) + found[place + 1 :]
    return found.replace("\ud800", "")


@BOTH
def test_links_run_nothing_and_leave_nothing(page: Playground, backend: str) -> None:
    page.open("lenet5")
    many = LINKS[backend]
    chunk = many // CHUNKS
    page.browser.run(KEEP_ANSWERS)
    driver = page.browser.driver
    driver.set_script_timeout(600)
    sizes = []
    for first in range(0, many, chunk):
        links = [(number, a_link(number)) for number in range(first, first + chunk)]
        assert driver.execute_async_script(RUN, links) == [], first
        driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        sizes.append(page.browser.run("return performance.memory.usedJSHeapSize"))
        assert page.browser.run("return document.querySelectorAll('*').length") < MOST_ELEMENTS
    assert max(sizes[-3:]) - max(sizes[:3]) < MOST_GROWTH, sizes
    states = page.browser.run("return window.states")
    assert min(states["ready"], states["wrong"]) > many // 10, states
    page.open("lenet5")
    assert page.totals()["parameters"]

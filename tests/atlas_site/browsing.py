"""What the browser tests of several pages share."""

from collections.abc import Mapping

from playwright.sync_api import Page

PLACES = [
    "index.html",
    "conv1.html",
    "conv3.html",
    "conv3.html#0",
    "conv3.html#1",
    "conv3.html#2",
    "images.html",
    "images.html#1",
    "classes.html",
    "classes.html#0",
    "channels.html",
    "figures.html",
    "figure-evolution.html",
    "figure-invariance.html",
    "figure-architecture.html",
    "figure-occlusion.html",
    "figure-correspondence.html",
    "channels.html#conv3:0,conv1:1",
]
CARDS = "[data-grid] > li"


def shown(page: Page) -> list[int]:
    return page.eval_on_selector_all(
        CARDS, "cards => cards.filter(c => !c.hidden).map(c => Number(c.id))"
    )


def scroll_through(page: Page) -> None:
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += 500) {
                scrollTo(0, y);
                await new Promise(requestAnimationFrame);
            }
        }"""
    )
    page.wait_for_load_state("networkidle")


def wait_for_texts(page: Page) -> None:
    """Until the texts that are searched have come; `wait_for_function` needs an eval that the
    pages' policy forbids."""
    page.evaluate(
        """async () => {
            for (let frame = 0; !Atlas.data.images?.text; frame++) {
                if (frame > 1200) throw new Error("the texts did not come");
                await new Promise(requestAnimationFrame);
            }
            await new Promise(requestAnimationFrame);
        }"""
    )


def words(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def channel_of(page: Page, layer: str, number: int) -> Mapping[str, list]:
    """A channel as the page's scripts read it."""
    place = "Atlas.data.site.layers.find(({ key }) => key === wanted)"
    found = page.evaluate(f"([wanted, n]) => Atlas.loadChannel({place}, n)", [layer, number])
    assert isinstance(found, dict)
    return found

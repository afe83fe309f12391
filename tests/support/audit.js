// Run beside a page in a wrapper, never on the page itself: what of it does not fit, cannot be read, or is not for everybody.
function audit(doc, width) {
  const problems = [];
  const say = (what, element) => problems.push(what + ": " + (element ? element.outerHTML.slice(0, 120) : ""));
  const all = [...doc.querySelectorAll("*")];
  const view = doc.defaultView;

  if (doc.documentElement.scrollWidth > width) {
    say("wider than " + width + " (" + doc.documentElement.scrollWidth + ")");
    all.filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll, svg")).forEach((e) => say("overflows", e));
  }
  for (const forbidden of ["script", "img", "iframe", "object", "embed", "form", "base", "link[rel=stylesheet]", "[style]"]) {
    doc.querySelectorAll(forbidden).forEach((e) => say("forbidden " + forbidden, e));
  }
  for (const element of all) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) say("handler " + name, element);
      if (["href", "src"].includes(name) && /^\s*(javascript|data:text)/i.test(value)) say("scheme", element);
    }
  }
  for (const landmark of ["body > header", "main", "body > footer"]) {
    if (doc.querySelectorAll(landmark).length !== 1) say("not one " + landmark);
  }
  if (!doc.documentElement.lang || !doc.title) say("no language or title");
  if (doc.querySelectorAll("h1").length !== 1) say("not one h1");
  doc.querySelectorAll("th:not([scope])").forEach((e) => say("heading without scope", e));
  doc.querySelectorAll("table").forEach((e) => e.querySelector("thead th") || say("table without headings", e));
  doc.querySelectorAll("nav, section").forEach((e) => e.hasAttribute("aria-label") || e.hasAttribute("aria-labelledby") || say("nameless", e));
  doc.querySelectorAll("svg").forEach((e) => e.getAttribute("aria-hidden") || e.querySelector("title") || say("drawing without a title", e));
  doc.querySelectorAll("a[href]").forEach((e) => e.textContent.trim() || say("link without words", e));
  const ids = all.map((e) => e.id).filter(Boolean);
  ids.forEach((id, at) => ids.indexOf(id) < at && say("id twice " + id));
  doc.querySelectorAll("[aria-labelledby]").forEach((e) => doc.getElementById(e.getAttribute("aria-labelledby")) || say("label is missing", e));
  let level = 0;
  doc.querySelectorAll("h1, h2, h3").forEach((e) => {
    if (+e.tagName[1] > level + 1) say("heading skips a level", e);
    level = +e.tagName[1];
  });

  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(view.getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  for (const element of all) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!words || element.closest("head, svg, .skip")) continue;
    const [text, back] = [light(numbers(view.getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    if (contrast < 4.5) say("contrast " + contrast.toFixed(2), element);
  }
  return problems;
}

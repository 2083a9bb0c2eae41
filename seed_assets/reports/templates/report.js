"use strict";
// The page works without this script; it adds the filter, names at the pointer, and documents that open when they are linked to.
const name = document.getElementById("name");
for (const dot of document.querySelectorAll("svg a")) {
  const title = dot.querySelector("title");
  const text = title.textContent;
  title.remove();
  dot.setAttribute("aria-label", text.replaceAll("\n", ", "));
  dot.addEventListener("pointerenter", (event) => {
    name.textContent = text;
    name.classList.add("text");
    name.hidden = false;
    const right = Math.min(event.clientX + 12, innerWidth - name.offsetWidth - 8);
    name.style.left = `${Math.max(8, right)}px`;
    name.style.top = `${event.clientY > innerHeight / 2 ? event.clientY - name.offsetHeight - 12 : event.clientY + 16}px`;
  });
  dot.addEventListener("pointerleave", () => { name.hidden = true; });
}
function openLinked() {
  const target = location.hash.startsWith("#d") && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.hidden = false;
    target.closest("section").hidden = false;
    target.open = true;
    target.scrollIntoView({ block: "start" });
    target.querySelector("summary").focus({ preventScroll: true });
  }
}
addEventListener("hashchange", openLinked);
openLinked();
const filter = document.getElementById("filter");
const found = document.getElementById("found");
const documents = [...document.querySelectorAll("details.document")].map((one) => [one, one.textContent.toLowerCase()]);
filter.hidden = documents.length === 0;
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const [one, text] of documents) {
    one.hidden = !words.every((word) => text.includes(word));
    count += !one.hidden;
  }
  for (const section of document.querySelectorAll("section")) {
    const own = section.querySelectorAll("details.document");
    section.hidden = own.length > 0 && [...own].every((one) => one.hidden);
  }
  found.hidden = words.length === 0;
  found.textContent = `${count} of ${documents.length} documents`;
});

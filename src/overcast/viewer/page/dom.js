// Small means to build and find parts of the page.

export const by = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function swatch(land) {
  const made = element("span", { className: "swatch" });
  made.style.background = land ? land.colour : "transparent";
  return made;
}

// What the reader must know: what is missing, and what goes wrong.
export function note(text) {
  const said = [...by("notes").children].some((item) => item.textContent === text);
  if (!said) by("notes").append(element("li", {}, text));
  by("notes").hidden = false;
}

// Elements, without ever putting a string in as markup: what a server or a file is called stays text.

export const byId = (id) => document.getElementById(id);

// A new element with properties (`class`, `text`, anything of the element) and children.
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Said to those who do not see the page.
export function announce(sentence) {
  byId("status").textContent = sentence;
}

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

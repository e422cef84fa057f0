// Makes what is on the page like what the server has sent, touching only what differs: focus, selection, open details
// and what was typed stay.

export function morph(from, to) {
  // A button that waits for its answer says so until it has come.
  if (from.hasAttribute("data-busy")) return;
  attributes(from, to);
  children(from, to);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    // Whether details are open is the reader's choice.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const named = new Map();
  for (const child of from.children) if (child.id) named.set(child.id, child);
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    // Blanks between elements come and go with the parser; elements are told apart by their order.
    while (at && isBlank(at) && wanted.nodeType === Node.ELEMENT_NODE) at = without(at);
    const same = wanted.id ? named.get(wanted.id) : undefined;
    if (same) {
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      morph(same, wanted);
    } else if (at && alike(at, wanted)) {
      if (at.nodeType === Node.ELEMENT_NODE) morph(at, wanted);
      else if (at.data !== wanted.data) at.data = wanted.data;
      at = at.nextSibling;
    } else {
      from.insertBefore(wanted, at);
    }
  }
  while (at) at = without(at);
}

function without(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

const isBlank = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() === "";

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && !a.id && !b.id;

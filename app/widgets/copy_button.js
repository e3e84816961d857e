// Copies a text in one click. Where the browser refuses the clipboard, as on a page
// without https, the text is shown selected instead.

const SHOWN = 6000; // milliseconds
const MARGIN = 20; // pixels

async function copied(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.hidden = false;
    field.focus();
    field.select();
    // Deprecated, and the only way without https.
    return document.execCommand("copy");
  }
}

// Puts the note to the side with more room: a menu cuts off what stands out of it.
function place(note, button) {
  const menu = button.closest("[data-testid=stPopoverBody]");
  const edge = menu?.getBoundingClientRect() ?? { left: 0, right: innerWidth };
  const { left, right } = button.getBoundingClientRect();
  const onTheLeft = edge.right - left > right - edge.left;
  const room = (onTheLeft ? edge.right - left : right - edge.left) - MARGIN;
  note.style.left = onTheLeft ? "0" : "auto";
  note.style.right = onTheLeft ? "auto" : "0";
  note.style.maxWidth = `min(20rem, ${room}px)`;
}

export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(`.metascope-copy-${name}`);
  const [button, note, said, field] = ["button", "note", "said", "field"].map(find);
  button.querySelector("span").textContent = data.label;
  button.title = data.help;
  field.value = data.text;
  field.setAttribute("aria-label", data.label);
  let timer;
  const close = () => {
    note.classList.remove("metascope-copy-open");
    said.textContent = "";
    field.hidden = true;
  };
  button.onclick = async () => {
    clearTimeout(timer);
    place(note, button);
    const done = await copied(data.text, field);
    if (done) field.hidden = true;
    said.textContent = done ? data.done : data.refused;
    note.classList.add("metascope-copy-open");
    note.scrollIntoView({ block: "nearest" });
    if (done) {
      button.focus();
      timer = setTimeout(close, SHOWN);
    }
  };
  parentElement.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    close();
    button.focus();
  };
  return () => clearTimeout(timer);
}

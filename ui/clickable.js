// What Python hands over as `data.html` is cleaned there (ui/markup.py); nothing here builds HTML from text.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".waymark");
  if (root.shown !== data.html) {
    root.shown = data.html;
    root.innerHTML = data.html;
    const reader = root.querySelector(".reader");
    const mark = reader && reader.querySelector("mark");
    if (mark) requestAnimationFrame(() => { reader.scrollTop = mark.offsetTop - 60; });
    const chosen = root.querySelector(".chosen");
    if (chosen) requestAnimationFrame(() => chosen.scrollIntoView({ block: "nearest" }));
  }
  root.onclick = async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.open) setTriggerValue("opened", button.dataset.open);
    if (button.dataset.copy !== undefined) {
      await navigator.clipboard.writeText(data.copies);
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    }
  };
}

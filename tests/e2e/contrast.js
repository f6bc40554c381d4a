// The texts on the page whose contrast with what is behind them is below 4.5 (WCAG AA), each with its ratio.
// Icons are no text; what is behind a text is the colours of its ancestors, one over the other.
() => {
  const LEAST = 4.5;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent).join("");
      const box = element.getBoundingClientRect();
      const hidden = box.width < 2 || box.height < 2 || getComputedStyle(element).visibility === "hidden";
      if (!text.trim() || hidden || element.closest('[data-testid="stIconMaterial"], :disabled, [translate="no"]')) continue;
      let opacity = 1;
      const behind = [];
      for (let e = element; e; e = e.parentElement || e.getRootNode().host) {
        const style = getComputedStyle(e);
        behind.unshift(rgba(style.backgroundColor));
        opacity *= parseFloat(style.opacity);
      }
      const below = behind.reduce((under, one) => over(one, under), [255, 255, 255]);
      const colour = rgba(getComputedStyle(element).color);
      const contrast = ratio(over([...colour.slice(0, 3), colour[3] * opacity], below), below);
      if (contrast < LEAST) found.push(`${text.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
  };
  look(document.body);
  return found;
}

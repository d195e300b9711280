// Datasets: what is looked for goes on by itself; addresses of forms hold only what was filled in.

document.addEventListener("acc:loaded", ({ target }) => {
  if (!target.querySelector(":scope > .waiting")) return;
  // not done yet: board.js looks for what waits
  document.dispatchEvent(new CustomEvent("acc:shown"));
});

for (const form of document.querySelectorAll("form.ask")) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value.trim() === "") formData.delete(name);
  });
}

// The page of a job: buttons that copy what to type.

for (const button of document.querySelectorAll("button.copy")) {
  // only where the browser lets pages write there: at localhost, or by https
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "copied";
    } catch {
      button.textContent = "not allowed";
    }
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
}

// A choice is shown at once. The list follows what changes, so the form is found anew each time.

document.addEventListener("change", (event) => {
  const form = event.target.closest("form.filters");
  if (form && event.target.matches("select, input[list]")) form.requestSubmit();
});

// what says nothing stays out of the address
document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("input, select")) {
    if (field.closest("form.filters") && !field.value) field.disabled = true;
  }
});

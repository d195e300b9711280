// Output stays at its end, as in a terminal, unless somebody has scrolled up to read.

const reading = new WeakSet();

document.addEventListener("scroll", ({ target }) => {
  if (!target.matches?.("pre.tail")) return;
  const isAtEnd = target.scrollTop + target.clientHeight >= target.scrollHeight - 4;
  if (isAtEnd) reading.delete(target);
  else reading.add(target);
}, true);

function toTheEnd() {
  for (const output of document.querySelectorAll("pre.tail")) {
    if (!reading.has(output)) output.scrollTop = output.scrollHeight;
  }
}

document.addEventListener("acc:shown", toTheEnd);
toTheEnd();

// How long ago it was: lists say only that, what stands by itself says both, what is beside the page stays as it is.

const STEPS = [[60, "min", 60], [3600, "h", 24], [86_400, "day", 7]];

// Older than a week, or not yet: the date says more.
function distance(seconds) {
  if (seconds < 0) return "";
  if (seconds < 60) return "just now";
  const [unit, name] = STEPS.find(([unit, , most]) => seconds < unit * most) ?? [];
  if (!unit) return "";
  const count = Math.floor(seconds / unit);
  return `${count} ${name}${name === "day" && count > 1 ? "s" : ""} ago`;
}

export function sayAgo(within) {
  for (const time of within.querySelectorAll("time[datetime][title]:not(aside *)")) {
    const ago = distance((Date.now() - Date.parse(time.dateTime)) / 1000);
    const whole = time.title + (ago && ` · ${ago}`);
    const text = time.closest("table, li, footer") ? ago || time.title : whole;
    if (time.textContent !== text) time.textContent = text;
  }
}

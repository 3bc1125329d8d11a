// Runs before the first paint, so that a chosen appearance does not flash through the system's.
try {
  const theme = JSON.parse(localStorage.getItem("settings") ?? "{}")?.theme;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage that is switched off or spoilt: the system's appearance.
}

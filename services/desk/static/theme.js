// Before the first paint: the scheme that was chosen, else the system's.
(() => {
  try {
    const chosen = localStorage.getItem("banxi-theme");
    if (chosen) document.documentElement.dataset.theme = chosen;
  } catch {
    // A browser that keeps nothing shows the system's scheme.
  }
})();

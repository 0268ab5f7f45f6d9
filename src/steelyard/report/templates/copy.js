for (const pre of document.querySelectorAll("pre")) {
  const button = document.createElement("button");
  const title = pre.closest("article").querySelector("h3").textContent;
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the code for " + title);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  pre.closest("article").querySelector("header").append(button);
}

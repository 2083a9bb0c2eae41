// The few lines that HTML and htmx lack: Enter sends a question, and a question that was sent leaves the field.
"use strict";

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.id === "question" && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!field.form.querySelector("button").disabled) field.form.requestSubmit();
  }
});

document.addEventListener("htmx:sse:after:connection", (event) => {
  const field = event.target.querySelector("#question");
  if (field) field.value = "";
});

document.addEventListener("htmx:sse:after:message", () => {
  for (const turn of document.querySelectorAll(".turn.begun")) {
    turn.classList.remove("begun");
    turn.scrollIntoView({ block: "nearest" });
  }
});

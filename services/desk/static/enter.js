// Presses the link's button: what merely fetches links does not use them up.
document.getElementById("enter").submit();

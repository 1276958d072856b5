/**
 * Runs before the app's own code has come: asks the node for what every first view shows, as who is signed out gets it.
 * A plain script, in its place in the page: it imports nothing and leaves nothing but `choirEarly`.
 */
{
  const path = "/v1/threads?limit=50";
  const answers = new Map<string, Promise<Response>>();
  if (localStorage.getItem("choir.account") === null) {
    const answer = fetch(path, { headers: { accept: "application/json" } });
    // Whoever takes it hears of the failure.
    answer.catch(() => undefined);
    answers.set(path, answer);
  }
  globalThis.choirEarly = answers;
}

export {};

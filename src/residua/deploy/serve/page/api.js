// The server's interface. What goes wrong is an Error whose message is a sentence.

const TRIES = 5;
let key = "";

export function useKey(given) {
  key = given;
}

async function request(path, options = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  try {
    return await fetch(path, { ...options, headers: { ...options.headers, ...headers } });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
}

async function content(response) {
  const told = await response.json().catch(() => ({}));
  if (response.ok) return told;
  const error = new Error(told.detail || `The server answered with status ${response.status}.`);
  error.status = response.status;
  throw error;
}

export async function model() {
  return content(await request("/v1/model"));
}

// Ask about a picture; if the server has too much to do, come back when it says so.
export async function ask(place, parameters, picture) {
  const path = `${place}?${new URLSearchParams(parameters)}`;
  const began = performance.now();
  for (let left = TRIES; ; left -= 1) {
    const response = await request(path, {
      method: "POST",
      body: picture,
      headers: { "Content-Type": "application/octet-stream" },
    });
    if (response.status !== 429 || left === 1) {
      const told = await content(response);
      return { ...told, milliseconds: performance.now() - began };
    }
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((go) => setTimeout(go, 1000 * seconds));
  }
}

// Where the time went, in words.
export function timing(answer) {
  const ms = (seconds) => `${Math.max(1, Math.round(1000 * seconds))} ms`;
  const { read, waited, network } = answer.results[0].seconds;
  const others = answer.results[0].together - 1;
  const beside = others > 0 ? `, with ${others} other${others > 1 ? "s" : ""}` : "";
  return (
    `${Math.round(answer.milliseconds)} ms from here and back: reading ${ms(read)}, ` +
    `waiting ${ms(waited)}, the network ${ms(network)}${beside}`
  );
}

"use strict";
// Queries to memcoord, and the poll that keeps the page up to date.

/** A query that failed, in words. `status` is 0 if nothing answered; `stated` is memcoord's own error
    with its hint, empty if it stated none. */
class QueryError extends Error {
  constructor(text, status, stated = "") {
    super(text);
    this.status = status;
    this.stated = stated;
  }
}

const kStatusWords = {
  401: "memcoord asks for its token: reload the page and enter it as the password.",
  403: "memcoord does not show this here.",
  404: "memcoord does not know this page's queries: reload the page, or update memcoord.",
  503: "memcoord is not ready.",
};

/** The error that memcoord states in a response, with its hint; empty if there is none. */
function statedError(body) {
  try {
    const { error, hint } = JSON.parse(body);
    if (typeof error === "string") return error + (typeof hint === "string" ? "; " + hint : "");
  } catch (_) { /* not from memcoord, or from another version */ }
  return "";
}

/** The error of a response: the one that memcoord states, or words for its status. */
function responseError(status, body) {
  const stated = statedError(body);
  const words = kStatusWords[status] || "memcoord answered with the status " + status + ".";
  return new QueryError(!stated || status === 401 ? words : "memcoord answered: " + stated, status, stated);
}

/** Text from a path of the server that sent the page. Errors: QueryError. */
async function queryText(path) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 8000);
  // Without the name and password that the page's own address may have: fetch() refuses those.
  const url = new URL(path, location.origin + location.pathname);
  let response, body;
  try {
    response = await fetch(url, { signal: abort.signal, cache: "no-store", credentials: "same-origin" });
    body = await response.text();
  } catch (_) {
    throw new QueryError(abort.signal.aborted ? "the query timed out." : "the connection failed.", 0);
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw responseError(response.status, body);
  return body;
}

async function queryJson(path) {
  const text = await queryText(path);
  try {
    return JSON.parse(text);
  } catch (_) {
    throw new QueryError("the answer is not from memcoord.", 0);
  }
}

/** Calls `query` again and again, one at a time, while the page is visible. After an error the pauses
    grow to 10 s. `query` returns the seconds until the next call. */
class Poll {
  constructor(query, onError) {
    Object.assign(this, { query, onError, failures: 0, running: false, timer: 0 });
    document.addEventListener("visibilitychange", () => this.resume());
    addEventListener("online", () => this.resume());
    addEventListener("pageshow", () => this.resume());
    this.resume();
  }

  resume() {
    clearTimeout(this.timer);
    if (!document.hidden) this.run();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    let pause = 1;
    try {
      pause = await this.query();
      this.failures = 0;
    } catch (error) {
      pause = Math.min(10, 2 ** this.failures++);
      this.onError(error);
      if (!(error instanceof QueryError)) console.error(error);
    }
    this.running = false;
    if (!document.hidden) this.timer = setTimeout(() => this.run(), pause * 1000);
  }
}

// What the parts of the vocal studio's page ask for.

import { t } from "./words.js";

/** Ask studio for something; resolves to {status, said} and never rejects. */
export async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(`/api/vocal${path}`, body === undefined ? {} : post);
    return { status: answer.status, said: await answer.json().catch(() => ({})) };
  } catch {
    return { status: 0, said: { reason: t("studio does not answer; nothing was done.") } };
  }
}

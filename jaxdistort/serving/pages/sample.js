// A picture for those who have none at hand.

const PLACE = new URL("sample.webp", import.meta.url);

let fetched = null;

// Chelsea the cat, by Stéfan van der Walt (CC0), as a file.
export function fetchSample() {
  fetched ??= load();
  fetched.catch(() => (fetched = null)); // the next try may reach it
  return fetched;
}

async function load() {
  const response = await fetch(PLACE);
  if (!response.ok) throw new Error(`The sample cannot be had (${response.status})`);
  return new File([await response.blob()], "cat.webp", { type: "image/webp" });
}

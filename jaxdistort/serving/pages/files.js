// Pictures out of what is dropped, pasted or chosen: single files, many, and folders with all below them.

const PICTURES = new Set(
  ("jpg jpeg jpe jfif png webp avif jp2 j2k jpf jpx tif tiff bmp dib gif ppm pgm pbm pnm qoi heic heif hif " +
    "dng nef nrw cr2 cr3 crw arw srf sr2 raf orf rw2 pef srw x3f erf mrw 3fr iiq rwl").split(" "),
);

export function isPicture(file) {
  if (file.name.startsWith(".")) return false;
  return file.type.startsWith("image/") || PICTURES.has(file.name.split(".").at(-1).toLowerCase());
}

export const pathOf = (file) => file.path || file.webkitRelativePath || file.name;

// The files of a drop as [{file, path}]. What the browser gives must be taken before anything is awaited.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const hasFolder = entries.some((entry) => entry.isDirectory);
  if (!hasFolder) return { files: listed(transfer.files), hasFolder };
  const files = [];
  for (const entry of entries) await gather(entry, files);
  return { files, hasFolder };
}

export const listed = (files) => [...files].map((file) => ({ file, path: pathOf(file) }));

async function gather(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push({ file, path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) return;
    for (const own of some) await gather(own, files);
  }
}

/** The page: asks for an address and the network key, and shows the lines that it reads, sorted by time. */
import { connect, idOf, newKeys, readLines } from './client.js';

const form = document.querySelector('form');
const state = document.querySelector('#state');
const log = document.querySelector('#log');
let connection;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { address, networkKey } = Object.fromEntries(new FormData(form));
  show(address.trim(), networkKey.trim());
});

async function show(address, networkKey) {
  connection?.close();
  connection = undefined;
  log.replaceChildren();
  state.textContent = 'connecting …';
  try {
    const keys = ownKeys();
    const made = await connect(address, networkKey, keys, () => {
      if (connection === made) state.textContent = 'the connection has ended';
    });
    connection = made;
    state.textContent = `connected as ${idOf(keys.publicKey)}`;
    readLines(
      made,
      (line) => connection === made && addLine(line),
      (error) => {
        state.textContent += `: ${error.message}`;
      },
    );
  } catch (error) {
    state.textContent = error.message;
  }
}

/** The same at each visit: a relay with `access: followed` speaks with a page that it follows. */
function ownKeys() {
  const stored = localStorage.getItem('keys');
  const keys = stored === null ? newKeys() : JSON.parse(stored, (_key, value) => reviveBuffer(value));
  if (stored === null) localStorage.setItem('keys', JSON.stringify(keys));
  return keys;
}

function reviveBuffer(value) {
  return value?.type === 'Buffer' ? Buffer.from(value.data) : value;
}

function addLine({ at, source, destination, text }) {
  const item = document.createElement('li');
  const time = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  // As text, never as HTML: lines are other people's.
  item.textContent = `${time} [${source}]${destination === undefined ? '' : ` -> [${destination}]`} ${text}`;
  item.dataset.at = at;
  let before = log.lastElementChild;
  while (before !== null && Number(before.dataset.at) > at) before = before.previousElementSibling;
  if (before === null) log.prepend(item);
  else before.after(item);
}

/**
 * Inside a process under test: kills it at the n-th passage of a named point. The order, `POINT PASSAGES NAME`, is in
 * a file, read at the start and again at SIGUSR2, and deleted when it is understood. The name is written down at the end.
 */
import fs from 'node:fs';

const orderFile = process.env.SSBLOG_FAULT_ORDER;
const hitsFile = process.env.SSBLOG_FAULT_HITS;
// Before anything is wrapped: what is done here passes no point.
const { readFileSync, rmSync, appendFileSync } = fs;

let point;
let left = 0;
let fullName;

function readOrder() {
  let text;
  try {
    text = readFileSync(orderFile, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  const [name, passages, full] = text.trim().split(' ');
  point = name;
  left = Number(passages);
  fullName = full;
  rmSync(orderFile);
}

/** The process is at this point; it may be its last. */
export function pass(name) {
  if (name !== point) return;
  left -= 1;
  if (left > 0) return;
  appendFileSync(hitsFile, `${fullName}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** Whether the next passage of this point is the last: for those that need work done before. */
export function isNext(name) {
  return name === point && left === 1;
}

readOrder();
process.on('SIGUSR2', readOrder);

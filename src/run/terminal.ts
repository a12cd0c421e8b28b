/** Whether a signal came from the terminal, which sends it to the command as well. */
import { readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat behind the command's name, from the third on (proc_pid_stat(5)). */
const FIRST_FIELD = 3;
const PGRP_FIELD = 5;
const TPGID_FIELD = 8;

/**
 * Ctrl-C and Ctrl-\ reach everybody in the terminal's foreground group. Node does not tell who sent a signal, so in
 * the foreground these two are taken for the terminal's.
 */
export function isFromTerminal(signal: NodeJS.Signals): boolean {
  return (signal === 'SIGINT' || signal === 'SIGQUIT') && isInForeground();
}

function isInForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[PGRP_FIELD - FIRST_FIELD] === fields[TPGID_FIELD - FIRST_FIELD];
  } catch {
    return true; // no /proc: with a terminal it is the rule
  }
}

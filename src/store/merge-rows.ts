/** Several sorted sequences as one. For few sequences: each step looks at all of them. */

/** @param isBefore whether the first comes before the second */
export function* mergeSorted<T>(
  sequences: readonly Iterator<T>[],
  isBefore: (a: T, b: T) => boolean,
): Generator<T, undefined> {
  const heads: { value: T; rest: Iterator<T> }[] = [];
  for (const rest of sequences) {
    const { done, value } = rest.next();
    if (done !== true) heads.push({ value, rest });
  }
  while (heads.length > 0) {
    let first = heads[0] as (typeof heads)[number];
    for (const head of heads) if (isBefore(head.value, first.value)) first = head;
    yield first.value;
    const { done, value } = first.rest.next();
    if (done === true) heads.splice(heads.indexOf(first), 1);
    else first.value = value;
  }
}

/** Text from inside for a terminal: nothing in it that a terminal would take for more than text, and no line of its own. */
export const plain = (text: string): string => text.replace(/\p{Cc}/gu, '?');

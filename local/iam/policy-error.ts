/** A policy that the host does not understand, and so can't hold anybody to. The message names what. */
export class PolicyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PolicyError';
  }
}

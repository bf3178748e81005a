/** The public `namespaces`: what looks at them, and what makes them. */
export * from '../../namespaces';
export { create, NamespaceSet } from './set';

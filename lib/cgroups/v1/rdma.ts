/** rdma on v1: the same file as on v2. */
export { translateRdma } from '../v2/rdma';

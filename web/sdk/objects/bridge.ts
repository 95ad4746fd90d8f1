// What the page and its worker say to each other about objects. Keys are given by the side that makes the object known.

import type { Delivery, TransferState, TransferWhy } from './api';

export interface OfferInfo {
  from: string;
  fromName: string;
  name: string;
  size: number;
  type: string;
}

export type ObjectsToWorker =
  | { do: 'send-object'; key: number; file: Blob; name: string; to: string | undefined }
  | { do: 'cancel-object'; key: number; member: string | undefined }
  | { do: 'answer-offer'; key: number; answer: 'accept' | 'decline' | 'cancel' };

export type ObjectsToPage =
  | { is: 'sending'; key: number; over: TransferWhy | undefined; deliveries: Delivery[] }
  | { is: 'offer'; key: number; info: OfferInfo; state: TransferState; why: TransferWhy | undefined }
  | { is: 'receiving'; key: number; state: TransferState; why: TransferWhy | undefined; bytes: number; file?: Blob };

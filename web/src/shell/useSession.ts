// The session of this browser: a link that signs in once comes first.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { whenSignedOut } from '../api/client';
import { readSession, signIn, signOut, tokenInAddress, type Session } from '../api/session';
import { forgetUploads } from '../uploads/kept';

const KEY = ['session'];
const token = tokenInAddress(); // once, as the page starts
let linkFailed = false;

async function begin(): Promise<Session | null> {
  if (!token || linkFailed) return readSession();
  try {
    return await signIn({ token });
  } catch {
    linkFailed = true;
    return readSession(); // the browser may be signed in already
  }
}

export function useSession() {
  const client = useQueryClient();
  useEffect(() => whenSignedOut(() => client.setQueryData(KEY, null)), [client]);
  const query = useQuery({ queryKey: KEY, queryFn: begin, staleTime: Infinity, gcTime: Infinity });

  async function enter(key: string): Promise<void> {
    const session = await signIn({ key });
    client.setQueryData(KEY, session);
  }

  async function leave(): Promise<void> {
    await signOut(query.data?.csrf_token ?? '');
    await forgetUploads();
    location.assign('/'); // nothing of what was seen stays in memory
  }

  return { session: query.data, isReading: query.isPending, problem: query.error, isLinkUsed: linkFailed, enter, leave, again: query.refetch };
}

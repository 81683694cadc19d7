import {
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQueries,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { ExecutionStatus, ExecutionSummary } from './model/execution.ts';
import { graphOf } from './model/graph.ts';
import { type WindowEnd, windowEndOf } from './model/outcome.ts';
import {
  describeExecution,
  describeStateMachine,
  getExecutionHistory,
  listExecutions,
  listStateMachines,
  stopExecution,
} from './step-functions.ts';

/** How often what may change is asked for again; not at all while the page is hidden. */
const REFRESH_MS = 1000;

export function useStateMachines() {
  return useQuery({
    queryKey: ['machines'],
    queryFn: listStateMachines,
    refetchInterval: ({ state }) => (state.data === undefined ? REFRESH_MS : false),
  });
}

export function useGraph(stateMachineArn: string | undefined) {
  return useQuery({
    queryKey: ['graph', stateMachineArn],
    queryFn: async () => graphOf((await describeStateMachine(stateMachineArn ?? '')).definition),
    enabled: stateMachineArn !== undefined,
    refetchInterval: ({ state }) => (state.data === undefined ? REFRESH_MS : false),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useExecutions(stateMachineArn: string, status: ExecutionStatus | undefined) {
  return useInfiniteQuery({
    queryKey: ['executions', stateMachineArn, status],
    queryFn: ({ pageParam }) => listExecutions(stateMachineArn, status, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextToken,
    refetchInterval: REFRESH_MS,
    // The rows of another filter are no rows of this one, but no empty table flickers in between.
    placeholderData: (before) => before,
  });
}

/**
 * How the executions' windows ended, by ARN. A list of executions has no outputs, so each is described once: an output that
 * is there does not change.
 */
export function useWindowEnds(executions: readonly ExecutionSummary[]): ReadonlyMap<string, WindowEnd> {
  return useQueries({
    queries: executions
      .filter(({ status }) => status === 'SUCCEEDED')
      .map(({ executionArn }) => ({
        queryKey: ['end', executionArn],
        queryFn: async () => ({
          executionArn,
          end: windowEndOf((await describeExecution(executionArn)).output),
        }),
        staleTime: Number.POSITIVE_INFINITY,
      })),
    combine: endsByArn,
  });
}

/** One function for every render, so that the map stays the same while no reply has come. */
function endsByArn(
  replies: readonly UseQueryResult<{ readonly executionArn: string; readonly end: WindowEnd | undefined }>[],
): ReadonlyMap<string, WindowEnd> {
  return new Map(
    replies.flatMap(({ data }) => (data?.end === undefined ? [] : [[data.executionArn, data.end] as const])),
  );
}

/** An execution and its history as they were at about the same time: the history may be the newer one. */
export function useExecution(executionArn: string) {
  return useQuery({
    queryKey: ['execution', executionArn],
    queryFn: async () => {
      const execution = await describeExecution(executionArn);
      return { execution, events: await getExecutionHistory(executionArn) };
    },
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.execution.status === 'RUNNING' ? REFRESH_MS : false,
  });
}

export function useStopExecution(executionArn: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ error, cause }: { error: string; cause: string }) =>
      stopExecution(executionArn, error, cause),
    onSuccess: () => client.invalidateQueries({ queryKey: ['execution', executionArn] }),
  });
}

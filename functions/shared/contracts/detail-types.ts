export const STATUS_CHANGE_DETAIL_TYPE = 'Stream Session Status Change';
export const STATUS_CHANGE_REJECTED_DETAIL_TYPE = 'Stream Session Status Change Rejected';
export const OUTCOME_DETAIL_TYPE = 'Stream Session Reconnection Outcome';
export const ADMIN_SHELL_AUDIT_DETAIL_TYPE = 'Stream Session Admin Shell Audit';
export const EXECUTION_STATUS_CHANGE_DETAIL_TYPE = 'Step Functions Execution Status Change';

//! The tables as diesel sees them; must say the same as every folder of `migrations`.
//!
//! Only types that both databases have: `SmallInt`, `Integer`, `BigInt`, `Text`, `Binary`, `Bool`.

use diesel::{allow_tables_to_appear_in_same_query, table};

table! {
    executions (shard, uid) {
        shard -> SmallInt,
        uid -> Binary,
        project -> Text,
        execution_id -> Nullable<Text>,
        workflow_name -> Text,
        workflow_namespace -> Text,
        revision -> Integer,
        source_hash -> Binary,
        workbook -> Nullable<Text>,
        state -> Text,
        state_info -> Nullable<Text>,
        failure -> Nullable<Text>,
        run -> Integer,
        description -> Text,
        labels -> Nullable<Text>,
        parent_uid -> Nullable<Binary>,
        parent_task -> Nullable<BigInt>,
        parent_action -> Nullable<BigInt>,
        item_index -> BigInt,
        root_uid -> Nullable<Binary>,
        source_uid -> Nullable<Binary>,
        depth -> Integer,
        last_sequence -> BigInt,
        backlog -> Nullable<Text>,
        rollback -> Nullable<Text>,
        progress -> Text,
        created_us -> BigInt,
        updated_us -> BigInt,
        finished_us -> Nullable<BigInt>,
    }
}

table! {
    execution_payloads (shard, uid) {
        shard -> SmallInt,
        uid -> Binary,
        params -> Text,
        vars -> Text,
        output -> Nullable<Text>,
        input -> Text,
    }
}

table! {
    execution_ids (project, execution_id) {
        project -> Text,
        execution_id -> Text,
        uid -> Binary,
        shard -> SmallInt,
    }
}

table! {
    execution_labels (project, label_key, label_value, uid) {
        project -> Text,
        label_key -> Text,
        label_value -> Text,
        uid -> Binary,
        shard -> SmallInt,
    }
}

table! {
    tasks (shard, uid, number) {
        shard -> SmallInt,
        uid -> Binary,
        number -> BigInt,
        name -> Text,
        is_workflow -> Bool,
        state -> Text,
        state_info -> Nullable<Text>,
        processed -> Bool,
        error_handled -> Bool,
        next_tasks -> Nullable<Text>,
        triggered_by -> Nullable<Text>,
        published -> Nullable<Text>,
        published_global -> Nullable<Text>,
        global_order -> BigInt,
        runtime -> Nullable<Text>,
        created_us -> BigInt,
        started_us -> Nullable<BigInt>,
        updated_us -> BigInt,
        finished_us -> Nullable<BigInt>,
        action_name -> Nullable<Text>,
        action_state -> Nullable<Text>,
        action_accepted -> Nullable<Bool>,
        action_attempt -> Nullable<BigInt>,
        action_runner -> Nullable<Text>,
        action_created_us -> Nullable<BigInt>,
        action_finished_us -> Nullable<BigInt>,
        action_lease -> Nullable<Text>,
        action_output -> Nullable<Text>,
        action_input -> Nullable<Text>,
    }
}

table! {
    actions (shard, uid, task, number) {
        shard -> SmallInt,
        uid -> Binary,
        task -> BigInt,
        number -> BigInt,
        name -> Text,
        state -> Text,
        input -> Text,
        output -> Nullable<Text>,
        accepted -> Bool,
        item -> BigInt,
        attempt -> BigInt,
        runner -> Text,
        child -> Nullable<Binary>,
        created_us -> BigInt,
        finished_us -> Nullable<BigInt>,
        lease -> Nullable<Text>,
    }
}

table! {
    // A view: those in `actions`, and the first ones that lie in the rows of their tasks.
    all_actions (shard, uid, task, number) {
        shard -> SmallInt,
        uid -> Binary,
        task -> BigInt,
        number -> BigInt,
        name -> Text,
        state -> Text,
        input -> Text,
        output -> Nullable<Text>,
        accepted -> Bool,
        item -> BigInt,
        attempt -> BigInt,
        runner -> Text,
        child -> Nullable<Binary>,
        created_us -> BigInt,
        finished_us -> Nullable<BigInt>,
        lease -> Nullable<Text>,
        in_task -> Bool,
    }
}

table! {
    worker_actions (project, name, queue) {
        project -> Text,
        name -> Text,
        queue -> Text,
        details -> Text,
        created_us -> BigInt,
        updated_us -> BigInt,
    }
}

table! {
    queues (project, name) {
        project -> Text,
        name -> Text,
        revision -> Integer,
        settings -> Text,
        updated_us -> BigInt,
    }
}

table! {
    history (shard, uid, last_sequence) {
        shard -> SmallInt,
        uid -> Binary,
        last_sequence -> BigInt,
        first_sequence -> BigInt,
        events -> Text,
    }
}

table! {
    changes (shard, position) {
        shard -> SmallInt,
        position -> BigInt,
        time_us -> BigInt,
        uids -> Binary,
        deleted -> Nullable<Text>,
        sequences -> Nullable<Binary>,
    }
}

table! {
    requests (project, request_id) {
        project -> Text,
        request_id -> Text,
        method -> Text,
        body_hash -> Binary,
        target -> Text,
        created_us -> BigInt,
    }
}

table! {
    sources (hash) {
        hash -> Binary,
        kind -> Text,
        text -> Text,
    }
}

table! {
    definitions (project, kind, namespace, name, revision) {
        project -> Text,
        kind -> Text,
        namespace -> Text,
        name -> Text,
        revision -> Integer,
        source_hash -> Binary,
        workbook -> Nullable<Text>,
        description -> Text,
        tags -> Nullable<Text>,
        details -> Text,
        first_created_us -> BigInt,
        created_us -> BigInt,
    }
}

table! {
    definition_heads (project, kind, name, namespace) {
        project -> Text,
        kind -> Text,
        name -> Text,
        namespace -> Text,
        last_revision -> Integer,
        live -> Bool,
    }
}

table! {
    workbooks (project, name, namespace) {
        project -> Text,
        name -> Text,
        namespace -> Text,
        revision -> Integer,
        source_hash -> Binary,
        description -> Text,
        tags -> Nullable<Text>,
        workflow_names -> Text,
        action_names -> Text,
        created_us -> BigInt,
        updated_us -> BigInt,
    }
}

table! {
    environments (project, name) {
        project -> Text,
        name -> Text,
        revision -> Integer,
        live -> Bool,
        description -> Text,
        variables -> Text,
        created_us -> BigInt,
        updated_us -> BigInt,
    }
}

table! {
    execution_counts (project, workflow_name, workflow_namespace, state, slot) {
        project -> Text,
        workflow_name -> Text,
        workflow_namespace -> Text,
        state -> Text,
        slot -> SmallInt,
        executions -> BigInt,
    }
}

table! {
    meta (key) {
        key -> Text,
        value -> Text,
    }
}

allow_tables_to_appear_in_same_query!(executions, execution_payloads);
allow_tables_to_appear_in_same_query!(definitions, definition_heads);
allow_tables_to_appear_in_same_query!(sources, definitions, workbooks);

table! {
    batch_operations (project, batch_id) {
        project -> Text,
        batch_id -> Text,
        finished -> Bool,
        request -> Binary,
        progress -> Binary,
        position -> Text,
        updated_us -> BigInt,
    }
}

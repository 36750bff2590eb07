"""Definitions as the server keeps them, and what it says about documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from autan.models.enums import Severity


@dataclass(frozen=True, kw_only=True)
class InputParameter:
    """One declared input.

    Attributes:
        name: Its name.
        required: Whether the caller must give it.
        default_value: Value when the caller gives none.
    """

    name: str
    required: bool
    default_value: Any


@dataclass(frozen=True, kw_only=True)
class WorkflowInfo:
    """One revision of a workflow.

    Attributes:
        project: Tenant.
        namespace: Scope of the name inside the project.
        name: Unique in the namespace; members of a workbook are called `workbook.member`.
        revision: Number of the revision, from 1.
        revision_hash: Hash of the revision's text, hexadecimal.
        source: The document that holds it; FULL view only.
        description: Free text from the document.
        tags: Tags from the document.
        type: "direct" or "reverse".
        input: Declared inputs in order.
        output_keys: Keys of the declared output.
        task_names: Names of the tasks in document order.
        workbook: Workbook that it came with, if any.
        create_time: When the first revision was created.
        update_time: When this revision was created.
        etag: Changes with every revision; guards updates and deletions.
    """

    project: str
    namespace: str
    name: str
    revision: int
    revision_hash: str
    source: str
    description: str
    tags: tuple[str, ...]
    type: str
    input: tuple[InputParameter, ...]
    output_keys: tuple[str, ...]
    task_names: tuple[str, ...]
    workbook: str
    create_time: datetime | None
    update_time: datetime | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class WorkbookInfo:
    """A bundle of workflows and ad-hoc actions.

    Attributes:
        project: Tenant.
        namespace: Scope of the name inside the project.
        name: Unique in the namespace.
        source: The document; FULL view only.
        description: Free text from the document.
        tags: Tags from the document.
        workflow_names: Full names of its workflows.
        action_names: Full names of its ad-hoc actions.
        create_time: When it was created.
        update_time: When it was last replaced.
        etag: Changes with every update; guards updates and deletions.
    """

    project: str
    namespace: str
    name: str
    source: str
    description: str
    tags: tuple[str, ...]
    workflow_names: tuple[str, ...]
    action_names: tuple[str, ...]
    create_time: datetime | None
    update_time: datetime | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One fault of a document.

    Attributes:
        severity: How serious it is.
        rule: Stable id of the broken rule, such as "unknown-key".
        message: Text for people.
        path: Where in the structure, such as "wf.tasks.t1.on-success[0]".
        line: Line from 1; 0 if unknown.
        column: Column in characters from 1; 0 if unknown.
        end_line: Line of the end.
        end_column: Column of the end, exclusive.
        suggestion: What was probably meant, if something near is known.
        excerpt: The source line with carets below, several lines of text.
    """

    severity: Severity
    rule: str
    message: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    suggestion: str
    excerpt: str

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.severity.name.lower()}: {self.message} [{self.rule}]"


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What the server thinks of a document.

    Attributes:
        valid: Whether it would be accepted.
        diagnostics: Errors and warnings in document order; at most 1000.
    """

    valid: bool
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, kw_only=True)
class AppliedWorkflows:
    """Result of creating or updating workflows.

    Attributes:
        workflows: The revisions in document order, FULL view.
        warnings: Warnings about the document.
    """

    workflows: tuple[WorkflowInfo, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, kw_only=True)
class AppliedWorkbook:
    """Result of creating or updating a workbook.

    Attributes:
        workbook: The workbook, FULL view.
        warnings: Warnings about the document.
    """

    workbook: WorkbookInfo
    warnings: tuple[Diagnostic, ...]

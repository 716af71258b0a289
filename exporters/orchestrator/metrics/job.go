package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var (
	job     = of(CollectorJobs, JobLabels)
	cronJob = of(CollectorJobs, WorkloadLabels)
)

// Runs of what ends. workload is what started them.
var (
	JobState = job("job_state", "",
		"How far a run has come (running, suspended, complete, failed) and why it failed, of a closed list; always 1.", "state", "reason")
	JobPods  = job("job_pods", "", "Pods or tasks of a run by how they are: active, succeeded, failed.", "state")
	JobStart = job("job_start_timestamp_seconds", "seconds", "When a run began.")
	JobEnd   = job("job_end_timestamp_seconds", "seconds", "When a run was complete or failed.")
)

// What starts runs by the clock.
var (
	CronJobSuspended    = cronJob("cronjob_suspended", "", "Whether a cron job is told to start nothing.")
	CronJobActive       = cronJob("cronjob_active_jobs", "", "Runs of a cron job that go on.")
	CronJobLastSchedule = cronJob("cronjob_last_schedule_timestamp_seconds", "seconds", "For which time a cron job last started a run.")
	CronJobLastSuccess  = cronJob("cronjob_last_success_timestamp_seconds", "seconds", "When a run of a cron job was last complete.")
	CronJobNextSchedule = cronJob("cronjob_next_schedule_timestamp_seconds", "seconds", "When a cron job is to start a run next.")
	CronJobMissed       = cronJob("cronjob_missed_schedules", "",
		"Runs that a cron job should have started since its last one and has not, up to 100.")
)

func jobTable() family.Table {
	return family.Table{
		JobState, JobPods, JobStart, JobEnd,
		CronJobSuspended, CronJobActive, CronJobLastSchedule, CronJobLastSuccess, CronJobNextSchedule, CronJobMissed,
	}
}

"""The worker process, which keeps a training job after every step instead of twice a minute."""

from models import resume, worker

if __name__ == "__main__":
    resume.SECONDS = 0.0
    worker.main()

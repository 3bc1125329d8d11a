using Microsoft.Extensions.Logging;

namespace OpenEuroLLM.Serving;

/// <summary>A log as lines of text.</summary>
internal sealed class TextLog(TextWriter writer) : ILoggerProvider
{
    private readonly Lock writing = new();
    private readonly TextWriter writer = writer;

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose() { }

    private sealed class Category(TextLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            lock (log.writing) log.writer.WriteLine($"{logLevel}: {name}: {formatter(state, exception)}");
        }
    }
}

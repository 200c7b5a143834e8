/** What a listener throws fails no call, and is reported as that of a listener of an EventTarget is. */
export function attempted<Event>(listener: (event: Event) => unknown, event: Event): void {
  try {
    listener(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
